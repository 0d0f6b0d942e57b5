/** How often components were rendered. */
export const counts = { list: 0, item: 0 };
