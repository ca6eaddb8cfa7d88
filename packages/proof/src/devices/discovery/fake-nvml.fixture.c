/* Stands in for libnvidia-ml.so.1, so that calls through koffi are tested against a C compiler's idea of the interface. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef struct { unsigned long long total, free, used; } nvmlMemory_t;
typedef struct { unsigned int gpu, memory; } nvmlUtilization_t;
typedef struct {
  char busIdLegacy[16];
  unsigned int domain, bus, device, pciDeviceId, pciSubSystemId;
  char busId[32];
} nvmlPciInfo_t;
typedef struct device *nvmlDevice_t;
struct device { int number; };

static struct device devices[2] = { { 0 }, { 1 } };
static int started = 0;

int nvmlInit_v2(void) { started++; return 0; }
int nvmlShutdown(void) { started--; return 0; }
int nvmlSystemGetDriverVersion(char *text, unsigned int size) { snprintf(text, size, "570.133.20"); return 0; }
int nvmlDeviceGetCount_v2(unsigned int *count) { *count = started > 0 ? 2 : 0; return started > 0 ? 0 : 1; }

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t *device) {
  if (index > 1) return 2;
  *device = &devices[index];
  return 0;
}

int nvmlDeviceGetName(nvmlDevice_t device, char *text, unsigned int size) {
  snprintf(text, size, "NVIDIA Test %d", device->number);
  return 0;
}

int nvmlDeviceGetUUID(nvmlDevice_t device, char *text, unsigned int size) {
  snprintf(text, size, "GPU-%d", device->number);
  return 0;
}

int nvmlDeviceGetSerial(nvmlDevice_t device, char *text, unsigned int size) {
  (void)device; (void)text; (void)size;
  return 4;
}

int nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t *memory) {
  memory->total = (unsigned long long)(device->number + 1) << 36;
  memory->free = 1;
  memory->used = 2;
  return 0;
}

int nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, nvmlPciInfo_t *pci) {
  memset(pci, 0, sizeof *pci);
  pci->domain = 0;
  pci->bus = 0x65 + device->number;
  pci->pciDeviceId = 0x233510de;
  snprintf(pci->busIdLegacy, sizeof pci->busIdLegacy, "0000:%02X:00.0", pci->bus);
  snprintf(pci->busId, sizeof pci->busId, "00000000:%02X:00.0", pci->bus);
  return 0;
}

int nvmlDeviceGetMigMode(nvmlDevice_t device, unsigned int *now, unsigned int *pending) {
  *now = device->number;
  *pending = 0;
  return 0;
}

int nvmlDeviceGetUtilizationRates(nvmlDevice_t device, nvmlUtilization_t *rates) {
  rates->gpu = 40 + device->number;
  rates->memory = 7;
  return 0;
}
