// What lies on the pad and is no part of the drawing: boxes around parts, the keyboard's pen, the eraser.

const SVG = "http://www.w3.org/2000/svg";

function shape(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

/** Binds the svg over the pad, its unit that of the drawing. */
export function createOverlay(svg) {
  const boxes = shape("g", { class: "boxes" });
  const pen = shape("circle", { class: "pen-place", r: 0 });
  const rubber = shape("circle", { class: "rubber", r: 0 });
  svg.append(boxes, pen, rubber);

  return {
    /** Boxes [x, y, width, height]; the one at `selected` stands out. */
    showBoxes(list, selected) {
      boxes.replaceChildren(
        ...list.map(([x, y, width, height], i) =>
          shape("rect", { x, y, width, height, rx: 8, class: i === selected ? "box chosen" : "box" }),
        ),
      );
    },
    /** Where the keyboard's pen is; null puts it away. */
    showPen(place, isDown) {
      pen.setAttribute("r", place === null ? 0 : 9);
      if (place === null) return;
      pen.setAttribute("cx", place[0]);
      pen.setAttribute("cy", place[1]);
      pen.classList.toggle("down", isDown);
    },
    /** Where the eraser is, and how far it reaches; null puts it away. */
    showEraser(place, reach = 0) {
      rubber.setAttribute("r", place === null ? 0 : reach);
      if (place === null) return;
      rubber.setAttribute("cx", place[0]);
      rubber.setAttribute("cy", place[1]);
    },
  };
}
