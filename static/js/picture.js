// A grey picture, a pixel for every number, white ink on black.

/** Paints rows of numbers (0 is black, 1 is white) on the canvas, which takes their size. */
export function paintPicture(canvas, rows) {
  const height = rows.length;
  const width = rows[0].length;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const image = new ImageData(width, height);
  rows.flat().forEach((value, i) => {
    const grey = Math.round(Math.min(1, Math.max(0, value)) * 255);
    image.data.set([grey, grey, grey, 255], i * 4);
  });
  canvas.getContext("2d").putImageData(image, 0, 0);
}

export function clearPicture(canvas) {
  canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
}
