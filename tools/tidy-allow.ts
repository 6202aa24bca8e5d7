/** Functions that may be longer than the limit, each with the reason. The list may only shrink. */
export const longFunctions: Readonly<Record<string, string>> = {}
/** Files that may be longer than the limit, each with the reason. The list may only shrink. */
export const longFiles: Readonly<Record<string, string>> = {}
