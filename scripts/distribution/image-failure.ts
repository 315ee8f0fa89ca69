import { Failure } from "../local/failure.ts";

/** What is wrong with one image, and with no other. */
export class ImageFailure extends Failure {}

/** What an image refers to, and its source does not have. */
export class Missing extends ImageFailure {}
