/** `1 member`, `8 members`. */
export function nameMembers(count: number): string {
  return count === 1 ? '1 member' : `${count} members`;
}
