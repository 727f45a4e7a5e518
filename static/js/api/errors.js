// What the server refuses, in the page's language; what is not known here stays as the server gave it.

import { t } from "../i18n/translate.js";
import { settingName } from "../labels/config-labels.js";
import { explain as said } from "./client.js";

/** The setting that a message begins with, as in "optimizer.learning_rate: expected ...". */
export const FIELD = /^([a-z]\w*(?:\.[a-z]\w*|\[\d+\]|\.\d+)*): /;
const NEXT = /; (?=[a-z]\w*(?:\.[a-z]\w*|\[\d+\]|\.\d+)*: )/;

/** Behind a field's name: what was expected of it, and what came. */
const FIELD_MESSAGES = [
  [/^expected a number that is finite; got (.+)$/, (value) => t("expected a number; got {value}", { value })],
  [/^expected a number ([≥>≤<].*); got (.+)$/, (bounds, value) => t("expected a number {bounds}; got {value}", { bounds: range(bounds), value })],
  [/^expected a number from (\S+) to (\S+); got (.+)$/, (low, high, value) => t("expected a number from {low} to {high}; got {value}", { low, high, value })],
  [/^expected a whole number ([≥>≤<].*); got (.+)$/, (bounds, value) => t("expected a whole number {bounds}; got {value}", { bounds: range(bounds), value })],
  [/^expected a whole number from (\S+) to (\S+); got (.+)$/, (low, high, value) => t("expected a whole number from {low} to {high}; got {value}", { low, high, value })],
  [/^Input should be less than or equal to (\S+); got (.+)$/, (bound, value) => t("expected a number {bounds}; got {value}", { bounds: `≤ ${bound}`, value })],
  [/^Input should be greater than or equal to (\S+); got (.+)$/, (bound, value) => t("expected a number {bounds}; got {value}", { bounds: `≥ ${bound}`, value })],
  [/^Input should be a valid integer(?:, .*)?; got (.+)$/, (value) => t("expected a whole number; got {value}", { value })],
  [/^(?:Input should be a valid number(?:, .*)?|Input should be a finite number|expected a number); got (.+)$/, (value) => t("expected a number; got {value}", { value })],
  [/^expected (?:one|a type) of (.+); got (.+)$/, (choices, value) => t("expected one of {choices}; got {value}", { choices, value })],
  [/^Input should be (?!a |less|greater)(.+); got (.+)$/, (choices, value) => t("expected one of {choices}; got {value}", { choices: choices.replaceAll("'", "").replace(" or ", ", "), value })],
  [/^expected a share between 0 and 1, "test" or null; got (.+)$/, (value) => t("expected a share between 0 and 1, the test pictures or none; got {value}", { value })],
  [/^expected a validation set to watch; got (?:validation null|none)$/, () => t("it needs validation data to watch; choose some")],
  [/^expected null beside patience, which ends with the best epoch's weights$/, () => t("averaging and patience cannot be used together")],
  [/^expected (\d+) outputs, one for each label of (.+); got (.+)$/, (count, name, value) => t("expected {count} outputs, one for each label of {name}; got {value}", { count, name, value })],
  [/^expected 1 to (\d+); got (\d+)$/, (most, value) => t("expected from 1 to {most} layers; got {value}", { most, value })],
  [/^expected at most ([\d,]+) parameters; got ([\d,]+)$/, (most, value) => t("the network is too large: at most {most} parameters; it has {value}", { most, value })],
  [/^expected images \(channels, height, width\) or \(height, width\); got (.+)$/, (value) => t("this layer needs pictures; what comes to it is {value}", { value })],
  [/^expected a (height|width) of at least the window's (\d+); got (?:height|width) (\d+)$/, (_, window, value) => t("the window of {window} pixels is larger than the picture that comes to this layer, {value} pixels", { window, value })],
  [/^expected a (height|width) that windows of (\d+) at a stride of (\d+) divide; got (?:height|width) (\d+)$/, (_, window, stride, value) => t("windows of {window} pixels at a stride of {stride} do not divide the picture that comes to this layer, {value} pixels", { window, stride, value })],
  [/^expected a model with the data set's (\d+) labels; (\S+) has others, (\d+) of them$/, (count, name) => t("expected a model with the data set's {count} labels; “{name}” has others", { count, name })],
  [/^expected a model's name, or up to (\d+) with \+ between them; got (.+)$/, (most, value) => t("expected a model's name, or up to {most} with + between them; got {value}", { most, value })],
  [/^expected each model once; got (.+)$/, (value) => t("expected each model once; got {value}", { value })],
  [/^expected the models that it is of; they are others now$/, () => t("these models are others now than those that the setup names")],
  [/^expected null beside personal, which has a model to compare with already$/, () => t("a model that is made your own learns from your drawings alone")],
  [/^there is no model (\S+)$/, (name) => t("there is no model {name}", { name })],
  [/^missing; (.+) needs it$/, () => t("this must be filled in")],
  [/^expected drawings of at least (\d+) labels; got (\d+)$/, (least, value) => t("drawings of at least {least} labels are needed; there are {value}", { least, value })],
  [/^expected at most (\d+) labels; got (\d+)$/, (most, value) => t("expected at most {most} labels; got {value}", { most, value })],
  [/^expected at least (\d+) drawings of each label; got (.+)$/, (least, few) => t("at least {least} drawings of each label are needed; there are {few}", { least, few: few.split(", ").map(fewText).join(t(", ")) })],
  [/^expected a list of (\d+) to (\d+) values; got (.+)$/, (least, most, value) => t("expected {least} to {most} values; got {value}", { least, most, value })],
  [/^expected at most (\d+); got (\d+)$/, (most, value) => t("expected at most {most}; got {value}", { most, value })],
  [/^expected 1 to (\d+) characters; got (\d+)$/, (most, value) => t("expected 1 to {most} characters; got {value}", { most, value })],
  [/^expected no control characters; got (U\+\w+)$/, (value) => t("expected no control characters; got {value}", { value })],
  [/^expected up to 64 of a-z, 0-9, '\.', '_' and '-', the first a letter or digit; got (.+)$/, (value) => t("expected up to 64 of a-z, 0-9, “.”, “_” and “-”, the first a letter or digit; got {value}", { value })],
];

/** Whole messages. */
const MESSAGES = [
  [/^expected at most (\d+) runs to wait; (\d+) do: cancel some, or wait as well$/, (most, waiting) => t("expected at most {most} runs to wait; {waiting} do: cancel some, or wait as well", { most, waiting })],
  [/^the model to learn from cannot be used: (.+)$/, (why) => t("the model to learn from cannot be used: {why}", { why: errorText(why) })],
  [/^the model to learn from, (\S+), is another one than when the run was queued$/, (name) => t("the model to learn from, {name}, is another one now", { name })],
  [/^the model to learn from, (\S+), says numbers that are not finite$/, (name) => t("the model to learn from, {name}, says numbers that are not finite", { name })],
  [/^run (\d+) is (\w+); cancel it first$/, (run) => t("run {run} has not ended; cancel it first", { run })],
  [/^run (\d+) has not ended; resume it, or let it come to its end first$/, (run) => t("run {run} has not ended; resume it, or let it come to its end first", { run })],
  [/^run (\d+) left no checkpoint to go on from: it ended before its first epoch did$/, (run) => t("run {run} left no checkpoint to go on from: it ended before its first epoch did", { run })],
  [/^run (\d+) has saved no model yet: it is (\w+)$/, (run) => t("run {run} has saved no model yet", { run })],
  [/^there is a model named (.+) already$/, (name) => t("there is a model named {name} already", { name })],
  [/^the model (\S+) ships with digitpad and (?:is not removed|keeps its name)$/, (name) => t("the model {name} ships with digitpad and stays as it is", { name })],
  [/^the model (\S+) cannot be used: (.+)$/, (name, why) => t("the model {name} cannot be used: {why}", { name, why })],
  [/^the drawings of (.+) are others than when run (\d+) was trained$/, (name, run) => t("the drawings of {name} are others than when run {run} was trained", { name, run })],
  [/^Too few: (.+)\.$/, (why) => t("Too few: {why}.", { why: fieldErrorText(why) })],
  [/^the drawings “(.+)” are too few to train on: (.+)$/, (name, why) => t("the drawings “{name}” are too few to train on: {why}", { name, why: fieldErrorText(why) })],
  [/^there are no drawings in the set “(.+)” any more: draw some first$/, (name) => t("there are no drawings in the set “{name}” any more: draw some first", { name })],
  [/^The MNIST file (\S+) is neither in DIGITPAD_DATA_DIR nor in the cache, and could not be downloaded\..*$/, (file) => t("MNIST is not on this machine and could not be downloaded ({file}). Connect to the internet, or train on “strokes”, which digitpad draws itself.", { file })],
  [/^the loss or the weights were no longer finite in epoch (\d+), batch (\d+); a smaller learning rate may help$/, (epoch, batch) => t("the loss was no longer a finite number in epoch {epoch}, batch {batch}; a smaller learning rate may help", { epoch, batch })],
  [/^model name: expected up to 64 of .*; got (.+)$/, (value) => t("expected up to 64 of a-z, 0-9, “.”, “_” and “-”, the first a letter or digit; got {value}", { value })],
  [/^a model that is made somebody's own is compared with its parent at the end, and not before$/, () => t("a model that is made your own is compared with the other at the end alone")],
  [/^expected at most (\d+) drawings in a set; (\S+) has (\d+) already$/, (most, name, count) => t("there are {count} drawings in “{name}” already, and {most} is the most that a set holds", { count, name, most })],
  [/^expected at most (\d+) sets of drawings; there would be more$/, (most) => t("{most} is the most sets of drawings that there can be", { most })],
  [/^there is a set named (\S+) already, with (\d+) drawings$/, (name, count) => t("there is a set named “{name}” already, with {count} drawings", { name, count })],
  [/^there is no set named (\S+)$/, (name) => t("there is no set named “{name}”", { name })],
  [/^there are (\d+) drawings in (\S+): delete them first$/, (count, name) => t("there are {count} drawings in “{name}”: delete them first", { count, name })],
  [/^there was not enough memory; a smaller network or batch size may help$/, () => t("there was not enough memory; a smaller network or batch size may help")],
];

/** What any page may hear. Each in the server's own words; tests/i18n/test_catalog.py makes the server say them. */
const COMMON_MESSAGES = [
  [/^there is no run (\d+)$/, (run) => t("there is no run {run}", { run })],
  [/^there is no model (.+)$/, (name) => t("there is no model {name}", { name })],
  [/^there is no model yet: train one, or restore the one that ships with digitpad$/, () => t("there is no model yet: train one, or restore the one that ships with digitpad")],
  [/^there is no such drawing$/, () => t("there is no such drawing")],
  [/^the database is busy or cannot be reached; try again in a moment$/, () => t("the database is busy or cannot be reached; try again in a moment")],
  [/^expected fewer (?:and smaller requests|evaluations) at one time; try again in a moment$/, () => t("the server has much to do; try again in a moment")],
  [/^there is no room left on the disk; nothing was changed$/, () => t("there is no room left on the disk; nothing was changed")],
  [/^the folder where digitpad keeps its files cannot be written; its permissions may be wrong$/, () => t("the folder where digitpad keeps its files cannot be written; its permissions may be wrong")],
  [/^expected a token, as "Authorization: Bearer \.\.\."; .+$/, () => t("this server wants its token again; load the page anew to give it")],
  [/^something went wrong in the server; its log says what$/, () => t("something went wrong in the server; its log says what")],
  [/^expected a body of at most (\d+) MB; got more$/, (most) => t("that is too large: at most {most} MB", { most })],
  [/^expected a still image; got an animated PNG$/, () => t("expected a still image; got an animated PNG")],
  [/^expected an image of at most (\d+) megapixels; got (.+)$/, (most, size) => t("expected an image of at most {most} megapixels; got {size}", { most, size })],
  [/^expected a (?:whole )?PNG or JPEG image; got .+$/, () => t("expected a PNG or JPEG image; got a damaged or different file")],
];

/** `message` by the first of `patterns`, pairs of what it looks like and of what makes a sentence of its parts; else null. */
function translated(message, patterns) {
  for (const [pattern, sentence] of patterns) {
    const found = pattern.exec(message);
    if (found !== null) return sentence(...found.slice(1));
  }
  return null;
}

/** A message of the server in the page's language. */
const errorText = (message) => translated(message, COMMON_MESSAGES) ?? message;

/** "≥ 0 and < 1" without a word in it. */
const range = (bounds) => bounds.replaceAll(" and ", ", ");

/** "2 of a", and behind the last one perhaps "and 5 labels more". */
function fewText(text) {
  const [, count, label, more] = /^(\d+) of (.+?)(?: and (\d+) labels more)?$/.exec(text) ?? [];
  if (count === undefined) return text;
  const few = t("{count} of {label}", { count, label });
  return more === undefined ? few : t("{few} and {count} labels more", { few, count: more });
}

/** What of a setting is wrong, without its name, which stands beside it. */
export const fieldErrorText = (message) => translated(message, FIELD_MESSAGES) ?? message;

/** Words for a person from what `call` threw; a message may name several settings. */
export const explain = (error) => {
  const message = said(error);
  return translated(message, MESSAGES) ?? message.split(NEXT).map(sentenceOf).join("; ");
};

/** The same of a message that came another way, as in the row of a run that failed. */
export const explainMessage = (message) => message && explain(new Error(message));

function sentenceOf(message) {
  const field = FIELD.exec(message);
  if (field === null) return errorText(message);
  return t("{place}: {setting}", { place: settingName(field[1]), setting: fieldErrorText(message.slice(field[0].length)) });
}
