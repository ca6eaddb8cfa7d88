/**
 * Text of others, for a terminal: whatever would move the cursor, change what is there already or turn the order of what is
 * shown, line ends among it, becomes a replacement character. As long as it was, or shorter.
 */
export function visibleText(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '\u{fffd}');
}
