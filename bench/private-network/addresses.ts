/** Addresses of members, apart from those of the loopback interface and of the bare link. */
export const addressOf = (rank: number): string => `100.84.0.${rank + 1}`;
export const linkAddressOf = (rank: number): string => `198.18.0.${rank + 1}`;
