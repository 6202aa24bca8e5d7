import type { AnyTransformPlugin } from '@millrace/connect-api'
import { ExtractField } from './extract-field'
import { InsertField } from './insert-field'
import { RegexRouter } from './regex-router'

/** Every built-in transform. A new one is a file beside this one and a line here. */
export const transforms: readonly AnyTransformPlugin[] = [ExtractField, InsertField, RegexRouter]

export { compileJavaRegex, javaReplacement } from './java-regex'
export { ExtractField, InsertField, RegexRouter }
