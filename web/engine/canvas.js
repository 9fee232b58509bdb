// What the network is shown of a photo: parts at its base scale, and parts enlarged out of its own pixels.

import { heightOf, makeBox, widthOf } from "./boxes.js";
import { crop, resizeImage, resizeLinear, roundEven } from "./resize.js";

export class Canvas {
  constructor(image, base) {
    this.image = image;
    this.width = Math.max(1, roundEven(image.width * base));
    this.height = Math.max(1, roundEven(image.height * base));
    this.reduced = resizeImage(image, this.width, this.height);
  }

  /** Return the pixels of a box of the base scale. */
  cut(box) {
    return crop(this.reduced, box);
  }

  /** Return a box at `factor` times the base scale, with the details that the photo has. */
  enlarge(box, factor) {
    const width = Math.max(1, roundEven(widthOf(box) * factor));
    const height = Math.max(1, roundEven(heightOf(box) * factor));
    const x = this.width / this.image.width;
    const y = this.height / this.image.height;
    if (factor <= 1 || (x === 1 && y === 1)) return resizeView(this.cut(box), width, height);
    const source = makeBox(
      roundEven(box.left / x), roundEven(box.top / y),
      Math.min(this.image.width, roundEven(box.right / x)), Math.min(this.image.height, roundEven(box.bottom / y)),
    );
    return resizeView(crop(this.image, source), width, height);
  }
}

/** Resize by area where that loses more than half of the pixels, else bilinear, as in training. */
function resizeView(image, width, height) {
  if (width * height * 2 < image.width * image.height) return resizeImage(image, width, height);
  return resizeLinear(image, width, height);
}
