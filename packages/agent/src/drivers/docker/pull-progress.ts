import { z } from 'zod';
import { parseJson } from './engine/read-answer.ts';

/** A line of what an engine says while it fetches an image. */
const lineSchema = z.object({
  /** Of a layer. */
  id: z.string().max(200).optional(),
  status: z.string().optional(),
  error: z.string().optional(),
  progressDetail: z
    .object({ current: z.number().nonnegative().optional(), total: z.number().nonnegative().optional() })
    .nullish(),
});

/** More than an image can have. */
const maxLayers = 1_000;

export interface PullProgress {
  /** @returns why the engine gives up, if the line says so */
  take(line: string): string | undefined;
  /** Compressed bytes, as far as the engine has told of them: Docker does for each layer as it begins, Podman never. */
  bytes(): { readonly doneBytes: number; readonly totalBytes: number };
}

export function createPullProgress(): PullProgress {
  const layers = new Map<string, { readonly done: number; readonly total: number }>();
  return {
    take(line) {
      const parsed = lineSchema.safeParse(parseJson(line));
      if (!parsed.success) return undefined;
      const { id, status, error, progressDetail } = parsed.data;
      if (error !== undefined) return error;
      if (id === undefined) return undefined;
      const known = layers.get(id);
      const { current = 0, total } = progressDetail ?? {};
      if (total !== undefined && (known !== undefined || layers.size < maxLayers)) {
        // A layer is unpacked after it has come, and that is told with the same figures.
        const done = status === 'Downloading' ? Math.min(current, total) : total;
        layers.set(id, { done: Math.max(done, known?.done ?? 0), total });
      } else if (known !== undefined && status === 'Download complete') {
        layers.set(id, { ...known, done: known.total });
      }
      return undefined;
    },
    bytes() {
      const all = [...layers.values()];
      const sum = (of: (layer: { readonly done: number; readonly total: number }) => number) =>
        all.reduce((bytes, layer) => bytes + of(layer), 0);
      return { doneBytes: sum(({ done }) => done), totalBytes: sum(({ total }) => total) };
    },
  };
}
