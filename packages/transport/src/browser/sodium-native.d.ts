/** What `sodium-universal` is in Node, with the types of what stands in its place in browsers; the package ships none. */
declare module 'sodium-native' {
  const sodium: typeof import('./sodium-universal.ts');
  export default sodium;
}
