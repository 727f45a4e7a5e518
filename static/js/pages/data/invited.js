// The page of somebody who was invited to draw into one set.

import { explain, post } from "../../api/client.js";
import { awayText, retryWhileAway } from "../../api/retry.js";
import { followSets } from "../../data/follow-sets.js";
import { t } from "../../i18n/translate.js";
import { byId, setText } from "../../lib/dom.js";
import { createDraw } from "./draw.js";

const error = byId("data-error");
const { set } = byId("draw").dataset;

const page = {
  async ask(load) {
    const answer = await retryWhileAway(load, (seconds) => setText(byId("data-note"), awayText(seconds)));
    setText(byId("data-note"), "");
    return answer;
  },
  complain: (text) => setText(error, text),
  refresh() {},
  go: () => setText(error, t("This data set was deleted.")),
};

const save = ({ set: name, label, strokes, key }) => post(`/api/drawings/sets/${encodeURIComponent(name)}/drawings`, { label, strokes, key });
const draw = createDraw(page, { save, invited: true });

async function start() {
  try {
    await draw.show({ set, labels: [] });
    followSets({
      set,
      onSets: (sets) => sets.forEach(draw.hear),
      onGone() {
        draw.end();
        setText(error, t("This invitation has ended. What could not be saved stays on this page."));
      },
    });
  } catch (failure) {
    setText(error, explain(failure));
  }
}

start();
