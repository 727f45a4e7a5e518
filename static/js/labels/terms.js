// Technical terms next to the titles of the form: in Japanese next to English, and vice versa.

import { language } from "../i18n/translate.js";

/** Terms of settings in the tutorials. */
const TERMS = {
  dataset: ["データセット", "data set"],
  validation: ["検証データ", "validation data"],
  batch_size: ["バッチサイズ", "batch size"],
  start: ["初期値", "initial weights"],
  "network.layers": ["層", "layers"],
  "hidden-layers": ["隠れ層", "hidden layers"],
  optimizer: ["最適化手法", "optimizer"],
  learning_rate: ["学習率", "learning rate"],
  epochs: ["エポック数", "epochs"],
  seed: ["乱数シード", "seed"],
  loss: ["損失関数", "loss"],
  schedule: ["学習率スケジュール", "schedule"],
  weight_decay: ["重み減衰", "weight decay"],
  clip_norm: ["勾配クリッピング", "gradient clipping"],
  patience: ["早期終了", "early stopping"],
  dtype: ["データ型", "data type"],
  shuffle: ["シャッフル", "shuffle"],
  momentum: ["モーメンタム", "momentum"],
  augmentation: ["データ拡張", "augmentation"],
  distillation: ["蒸留", "distillation"],
};

/** `[text, language]` of the term of a setting, or null. */
export function termBeside(name) {
  const found = TERMS[name];
  if (found === undefined) return null;
  return language === "ja" ? [found[1], "en"] : [found[0], "ja"];
}
