// The overlay of the pad: boxes around digits, the keyboard's pen, the eraser.

const SVG = "http://www.w3.org/2000/svg";

function shape(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

/** Binds the svg over the pad, in the drawing's units. */
export function createOverlay(svg) {
  const boxes = shape("g", { class: "boxes" });
  const pen = shape("circle", { class: "pen-place", r: 0 });
  const eraser = shape("circle", { class: "rubber", r: 0 });
  svg.append(boxes, pen, eraser);

  return {
    /** Shows boxes [x, y, width, height], with the one at `selected` highlighted. */
    showBoxes(list, selected) {
      boxes.replaceChildren(
        ...list.map(([x, y, width, height], i) =>
          shape("rect", { x, y, width, height, rx: 8, class: i === selected ? "box chosen" : "box" }),
        ),
      );
    },
    /** Shows the keyboard's pen; null hides it. */
    showPen(place, isDown) {
      pen.setAttribute("r", place === null ? 0 : 9);
      if (place === null) return;
      pen.setAttribute("cx", place[0]);
      pen.setAttribute("cy", place[1]);
      pen.classList.toggle("down", isDown);
    },
    /** Shows the eraser with its radius; null hides it. */
    showEraser(place, reach = 0) {
      eraser.setAttribute("r", place === null ? 0 : reach);
      if (place === null) return;
      eraser.setAttribute("cx", place[0]);
      eraser.setAttribute("cy", place[1]);
    },
  };
}
