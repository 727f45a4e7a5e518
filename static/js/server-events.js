// Names of what pages tell one another about the server, as events of the window.

export const AWAY = "digitpad:away"; // a call was not answered
export const BACK = "digitpad:back"; // it answers again
