/** The same module under a name that `noise-in-browsers.ts` leaves alone. */
declare module '@hyperswarm/secret-stream/index.js' {
  export { default } from '@hyperswarm/secret-stream';
}
