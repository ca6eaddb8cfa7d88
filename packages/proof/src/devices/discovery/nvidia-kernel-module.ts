import type { FileView } from './discovery-system.ts';

/**
 * Where NVIDIA's kernel module, or what stands for it, shows: the module itself; a device node of a device, which containers get
 * without the module's folders; the device of Windows' subsystem for Linux. `/dev/nvidiactl` is no sign of it.
 */
const SIGNS = ['/proc/driver/nvidia', '/sys/module/nvidia', '/dev/nvidia0', '/dev/dxg'];

/** What is said where the library was not started for want of the module. */
export const WITHOUT_MODULE =
  'no kernel module of NVIDIA; the library was not started, which as root would create /dev/nvidiactl';

/**
 * To be asked on Linux before NVML's or CUDA's init is called. As root, on a machine that has the libraries and not the module,
 * both of them create `/dev/nvidiactl` before they fail, and looking must not change the machine.
 */
export async function hasNvidiaKernelModule(files: FileView): Promise<boolean> {
  for (const path of SIGNS) if (await files.exists(path)) return true;
  return false;
}
