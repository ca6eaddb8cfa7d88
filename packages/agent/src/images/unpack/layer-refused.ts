export type LayerRefusal = 'IMAGE_INVALID' | 'IMAGE_TOO_LARGE' | 'IMAGE_NO_SPACE';

/** Why a layer is not unpacked. Plain, since it crosses from the thread that unpacks. */
export class LayerRefused extends Error {
  override readonly name = 'LayerRefused';
  readonly code: LayerRefusal;

  constructor(code: LayerRefusal, text: string, cause?: unknown) {
    super(text, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
