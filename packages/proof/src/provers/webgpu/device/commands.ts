import { toLatentError } from '@latent/protocol';
import type { OpenDevice } from './open-device.ts';
import type { Pace } from './pace.ts';
import { type Program, SLOT_BYTES, SLOTS, type Slots } from './program.ts';

/** Submissions that the device has at a time: one to work on and one to go on with. */
const AHEAD = 2;

/** Most workgroups of a dispatch, in every implementation of WebGPU. */
const MOST_GROUPS = 65_535;

export interface Dispatch {
  readonly program: Program;
  readonly buffers: GPUBindGroup;
  readonly groups: number;
  /** What the shader's `Parameters` hold after `firstGroup`, which is added here. */
  readonly parameters: readonly number[];
  /** Name of the kind of work, if it is heavy: then it is cut into submissions of bounded length. */
  readonly heavy?: string;
}

/** What a device is asked to do in one call of the engine, in order. */
export interface Commands {
  readonly dispatch: (dispatch: Dispatch) => Promise<void>;
  readonly copy: (source: GPUBuffer, sourceBytes: number, to: GPUBuffer, toBytes: number, bytes: number) => void;
  /** Calls back once all that was asked for so far is done. */
  readonly whenDone: (done: () => void) => void;
  /** Waits for everything. */
  readonly finish: () => Promise<void>;
}

export interface CommandsContext {
  readonly open: OpenDevice;
  readonly slots: Slots;
  readonly pace: Pace;
}

interface Submission {
  readonly encoder: GPUCommandEncoder;
  pass: GPUComputePassEncoder | undefined;
  slot: number;
  heavy: string | undefined;
  heavyGroups: number;
  readonly done: (() => void)[];
}

/**
 * Collects dispatches into submissions that take about a tenth of a second each, so that no driver's watchdog bites and
 * that a stop comes soon, and keeps two of them with the device, so that it never waits for this process.
 * @throws LatentError `CANCELLED` from any call after the signal; what the device still works on is waited for
 */
export function startCommands({ open, slots, pace }: CommandsContext, signal: AbortSignal): Commands {
  const { device } = open;
  const parameters = new Uint32Array((SLOTS * SLOT_BYTES) / 4);
  const flying: Promise<unknown>[] = [];
  let current: Submission | undefined;
  let lastDoneMs = 0;

  const begin = (): Submission =>
    (current ??= {
      encoder: device.createCommandEncoder(),
      pass: undefined,
      slot: 0,
      heavy: undefined,
      heavyGroups: 0,
      done: [],
    });

  /** Waits until the device has no more than so many submissions. */
  async function settle(most: number): Promise<void> {
    while (flying.length > most) {
      const error = await flying.shift();
      if (error !== undefined) throw error;
    }
  }

  async function stopIfAsked(): Promise<void> {
    if (!signal.aborted) return;
    current = undefined;
    await settle(0);
    throw toLatentError(signal.reason);
  }

  async function follow(submission: Submission): Promise<void> {
    const startedMs = performance.now();
    await open.orLost(device.queue.onSubmittedWorkDone());
    const durationMs = performance.now() - Math.max(startedMs, lastDoneMs);
    lastDoneMs = performance.now();
    if (submission.heavy !== undefined) pace.learn(submission.heavy, submission.heavyGroups, durationMs);
    for (const done of submission.done) done();
  }

  async function submit(): Promise<void> {
    await stopIfAsked();
    if (current === undefined) return;
    const submission = current;
    current = undefined;
    submission.pass?.end();
    device.queue.writeBuffer(slots.buffer, 0, parameters, 0, (submission.slot * SLOT_BYTES) / 4);
    device.queue.submit([submission.encoder.finish()]);
    flying.push(follow(submission).catch((error: unknown) => error ?? new Error('the device failed')));
    await settle(AHEAD - 1);
  }

  function record({ program, buffers, parameters: words }: Dispatch, first: number, groups: number): void {
    const submission = begin();
    submission.pass ??= submission.encoder.beginComputePass();
    const offset = submission.slot * SLOT_BYTES;
    parameters.set([first, ...words], offset / 4);
    submission.pass.setPipeline(program.pipeline);
    submission.pass.setBindGroup(0, slots.group, [offset]);
    submission.pass.setBindGroup(1, buffers);
    submission.pass.dispatchWorkgroups(groups);
    submission.slot++;
  }

  /** Workgroups that may be added to the present submission, at least one. Where there is no room, the next one is begun. */
  async function room(heavy: string | undefined): Promise<number> {
    const left = () => {
      if (heavy === undefined) return MOST_GROUPS;
      if (current?.heavy === undefined) return pace.allowed(heavy);
      return current.heavy === heavy ? pace.allowed(heavy) - current.heavyGroups : 0;
    };
    const isFull = current !== undefined && (current.slot === SLOTS || left() < 1);
    if (isFull) await submit();
    return Math.min(MOST_GROUPS, left());
  }

  return {
    dispatch: async (dispatch) => {
      await stopIfAsked();
      for (let first = 0; first < dispatch.groups; ) {
        const groups = Math.min(dispatch.groups - first, await room(dispatch.heavy));
        record(dispatch, first, groups);
        const submission = begin();
        if (dispatch.heavy !== undefined) {
          submission.heavy = dispatch.heavy;
          submission.heavyGroups += groups;
        }
        first += groups;
      }
    },
    copy: (source, sourceBytes, to, toBytes, bytes) => {
      const submission = begin();
      submission.pass?.end();
      submission.pass = undefined;
      submission.encoder.copyBufferToBuffer(source, sourceBytes, to, toBytes, bytes);
    },
    whenDone: (done) => begin().done.push(done),
    finish: async () => {
      await submit();
      await settle(0);
      await stopIfAsked();
      open.check();
    },
  };
}
