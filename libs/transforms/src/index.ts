import type { TransformPlugin } from '@millrace/connect-api'
import { ExtractField } from './extract-field'
import { InsertField } from './insert-field'
import { RegexRouter } from './regex-router'

/** Every built-in transform. A new one is a file beside this one and a line here. */
// biome-ignore lint/suspicious/noExplicitAny: the list holds transforms of different options
export const transforms: readonly TransformPlugin<any>[] = [ExtractField, InsertField, RegexRouter]

export { compileJavaRegex, javaReplacement } from './java-regex'
export { ExtractField, InsertField, RegexRouter }
