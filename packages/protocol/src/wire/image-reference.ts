import { z } from 'zod';

const host = '[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(?::\\d{1,5})?';
const component = '[a-z0-9]+(?:(?:\\.|__?|-+)[a-z0-9]+)*';
const pattern = new RegExp(
  `^(?:${host}/)?${component}(?:/${component})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`,
);

/**
 * The name of an OCI image as people write it: `python:3.12`, `ghcr.io/org/name:tag`, `name@sha256:…`. Source: the grammar
 * of distribution/reference. Digests are of sha256 alone; a registry is a name or an IPv4 address. At most 512 characters.
 */
export const imageReferenceSchema = z.string().max(512, 'is too long').regex(pattern, 'is not the name of an image');
