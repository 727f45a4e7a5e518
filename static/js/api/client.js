// Calls to the server. A failure is either a refusal or a missing answer.

import { t } from "../i18n/translate.js";
import { has, nameIn, small } from "../labels/names.js";
import { withRoot } from "./root.js";

// Events of the window about the connection to the server.
export const AWAY = "digitpad:away"; // a call was not answered
export const BACK = "digitpad:back"; // it answers again

const AWAY_STATUSES = new Set([502, 503, 504]);

/** The server answered with an error; `message` is its text, `answer` its JSON or null. */
export class Refused extends Error {
  constructor(status, message, answer = null) {
    super(message);
    this.name = "Refused";
    this.status = status;
    this.answer = answer;
  }
}

/** The server is unreachable, starting, stopping, or temporarily unable, with a `reason`. */
export class ServerAway extends Error {
  constructor(reason = null) {
    super(reason ?? t("The server cannot be reached."));
    this.name = "ServerAway";
    this.reason = reason;
  }
}

/**
 * Sends a request, with JSON or a blob, and returns the JSON of the answer (null if there is none). With `keepalive` it
 * outlives the page.
 */
export async function call(method, path, { body, signal, keepalive } = {}) {
  const request = { method, signal, keepalive, headers: { accept: "application/json" } };
  if (body instanceof Blob) {
    request.body = body;
  } else if (body !== undefined) {
    request.headers["content-type"] = "application/json";
    request.body = JSON.stringify(body);
  }
  const { response, content } = await answered(path, request, (response) => response.text());
  const answer = parse(content);
  if (response.ok) return answer;
  throw refusal(response, answer);
}

/** The bytes of a file of the server. */
export async function getBytes(path, { signal } = {}) {
  const { response, content } = await answered(path, { signal }, (response) => response.arrayBuffer());
  if (response.ok) return new Uint8Array(content);
  throw refusal(response, parse(new TextDecoder().decode(content)));
}

async function answered(path, request, read) {
  try {
    const response = await fetch(withRoot(path), request);
    return { response, content: await read(response) };
  } catch (error) {
    if (request.signal?.aborted) throw error;
    throw unanswered();
  }
}

function refusal(response, answer) {
  if (AWAY_STATUSES.has(response.status)) return new ServerAway(answer?.error);
  return new Refused(response.status, reasonIn(answer) ?? t("The server answered with status {status}.", { status: response.status }), answer);
}

/** Awaits an `import()`, with a failed fetch as `ServerAway`. */
export const fetched = (script) =>
  script.catch(() => {
    throw unanswered();
  });

function unanswered() {
  window.dispatchEvent(new Event(AWAY));
  return new ServerAway();
}

export const get = (path, options) => call("GET", path, options);
export const post = (path, body = {}, options = {}) => call("POST", path, { ...options, body });
export const remove = (path, options) => call("DELETE", path, options);

/** The text of an error of `call`; those of the server are in the page's language already. */
export const explain = (error) =>
  error instanceof ServerAway && error.reason === null ? t("The server is not responding. Try again in a moment.") : error.message;

/** The text of an error, after the title of its field. */
function reasonIn(answer) {
  const { error, field } = answer ?? {};
  if (!field || !error.startsWith(`${field}: `)) return error;
  return t("{name}: {reason}", { name: fieldName(field), reason: error.slice(field.length + 2) });
}

function fieldName(field) {
  if (field === "label") return t("label");
  return has("settings", field) ? small(nameIn("settings", field)) : field.replaceAll("_", " ");
}

function parse(text) {
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
