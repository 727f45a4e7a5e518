"""What axe is asked."""

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
AXE = """async (tags) => {
  const options = { runOnly: { type: "tag", values: tags }, resultTypes: ["violations"] };
  // what Plotly draws is one picture with a name, and full of nodes
  const { violations } = await axe.run({ exclude: [[".js-plotly-plot .plot-container"]] }, options);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, any, all }) => `${id}: ${html.slice(0, 160)} ${[...any, ...all][0]?.message ?? ""}`));
}"""
