import type { Sighting, SourceReport } from './device.ts';

export function answered(sightings: readonly Sighting[], detail: string): SourceReport {
  return { outcome: 'answered', detail, sightings };
}

export function notThere(detail: string, returnCode?: number): SourceReport {
  return { outcome: 'not there', detail, sightings: [], ...(returnCode === undefined ? {} : { returnCode }) };
}

export function notMeasured(detail: string, returnCode?: number): SourceReport {
  return { outcome: 'not measured', detail, sightings: [], ...(returnCode === undefined ? {} : { returnCode }) };
}

export function countDevices(count: number): string {
  return `${count} ${count === 1 ? 'device' : 'devices'}`;
}
