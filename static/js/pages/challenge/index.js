// The challenges: games with a network that reads in this page.

import { explain } from "../../api/client.js";
import { loadNetwork } from "../../challenge/local-network.js";
import { count, duration } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { byId, element, pageData, say, setText } from "../../lib/dom.js";
import { forGood, keep, recall } from "../../lib/storage.js";
import { createEnd } from "./end.js";
import { playFool } from "./fool.js";
import { playRead } from "./read.js";
import { createSides } from "./sides.js";
import { createStage } from "./stage.js";
import { playTeach } from "./teach.js";

const BEST = "digitpad.challenge"; // the best results by game and variant
const PLACES = ["choose", "play", "sides-play", "end"];

function startChallenges({ models }) {
  const choice = byId("model");
  const modelOf = (name) => models.find((one) => one.name === name);
  const model = () => (choice === null ? models[0] : modelOf(choice.value));
  const networks = new Map(); // by name
  const stage = createStage(model().labels);
  const sides = createSides();
  const showEnd = createEnd();
  let last = null; // the form of the game that was played last
  let turn = 0; // counts the games, so that one that was stopped does not go on

  function go(place) {
    for (const name of PLACES) byId(name).hidden = name !== place;
    window.scrollTo(0, 0);
  }

  /** What was chosen for a game; null where nothing limits it. */
  const optionsOf = (form) => Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value === "" ? null : value]));

  const GAMES = {
    read: ({ seconds, strokes }, network) => playRead(stage, network, { seconds: numberOf(seconds), strokes: numberOf(strokes) }),
    fool: (_, network) => playFool(stage, network),
    teach: ({ label }, network) => playTeach(stage, network, { label }),
    sides: ({ certainty }, network) => sides.play(network, { certainty: Number(certainty) }),
  };

  async function fetchNetwork(name) {
    if (networks.has(name)) return networks.get(name);
    const network = await loadNetwork(name);
    networks.set(name, network);
    return network;
  }

  async function play(form) {
    last = form;
    const own = (turn += 1);
    const options = optionsOf(form);
    const { name } = model();
    go("choose");
    setText(byId("fetching"), networks.has(name) ? "" : t("Fetching the network, once …"));
    try {
      const network = await fetchNetwork(name);
      if (own !== turn) return;
      setText(byId("fetching"), "");
      go(form.id === "sides" ? "sides-play" : "play");
      stage.prepare(network);
      const found = await GAMES[form.id](options, network);
      if (own === turn) finish(form, found);
    } catch (error) {
      if (own !== turn) return;
      stop();
      const reason = error instanceof RangeError ? t("This network cannot be computed in the browser. Choose another model.") : explain(error);
      say(byId("fetching"), reason, [t("Try again"), () => play(form)]);
    }
  }

  function finish(form, { results, score = null, fastest = null, text, title }) {
    const isBetter = rememberBest(form, score ?? fastest, score === null);
    const words = [title ?? t("{count} points", { count: count(score) }), text, isBetter ? t("Your best so far.") : ""];
    go("end");
    showEnd({ title: words[0], text: words.slice(1).filter(Boolean).join(" "), results });
    if (document.fullscreenElement) document.exitFullscreen();
    showBests();
  }

  function stop() {
    turn += 1;
    stage.stop();
    sides.stop();
    go("choose");
    setText(byId("fetching"), "");
    byId("choose-title").focus();
  }

  const bests = () => recall(forGood, BEST) ?? {};

  /** The name of a game with its model and options; what is taught does not count. */
  const keyOf = (form) => [model().name, form.id, ...Object.entries(optionsOf(form)).filter(([name]) => name !== "label").map(([, value]) => value ?? "any")].join("-");

  /** Stores a result that is the best; of the two sides the lowest is. Returns whether it replaces another. */
  function rememberBest(form, value, isLowest) {
    if (value === null) return false;
    const before = bests()[keyOf(form)];
    if (Number.isFinite(before) && (isLowest ? value >= before : value <= before)) return false;
    keep(forGood, BEST, { ...bests(), [keyOf(form)]: value });
    return Number.isFinite(before);
  }

  function showBests() {
    for (const form of forms) {
      const best = bests()[keyOf(form)];
      const words = form.id === "sides" ? () => t("Fastest: {time}", { time: duration(best) }) : () => t("Best: {count} points", { count: count(best) });
      setText(form.querySelector("[data-best]"), Number.isFinite(best) ? words() : "");
    }
  }

  function showModel() {
    const { labels } = model();
    byId("fool-note").hidden = labels.length > 1;
    byId("fool").querySelector("button").disabled = labels.length < 2;
    byId("teach-label").replaceChildren(...labels.map((label) => element("option", { value: label, selected: label === "7" }, label)));
  }

  const forms = Object.keys(GAMES).map(byId);
  for (const form of forms) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      play(form);
    });
    form.addEventListener("change", showBests);
  }
  choice?.addEventListener("change", () => {
    showModel();
    showBests();
    const url = new URL(location.href);
    url.searchParams.set("model", choice.value);
    window.history.replaceState(null, "", url);
  });
  byId("play-stop").addEventListener("click", stop);
  byId("sides-stop").addEventListener("click", stop);
  byId("again").addEventListener("click", () => play(last));
  byId("other").addEventListener("click", stop);
  showModel();
  showBests();
}

const numberOf = (text) => (text === null ? null : Number(text));

startChallenges(pageData());
