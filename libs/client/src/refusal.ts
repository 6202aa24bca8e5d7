import { errorName, errorText, ProtocolError } from '@millrace/wire'

/**
 * An error code of an answer as an error that says what it is about, and which code it is: whoever reads it in the status of a
 * task, or in a log, sees which right is missing on which resource. `text` is what the broker said itself.
 */
export function refusal(errorCode: number, subject: string, text?: string | null): ProtocolError {
  const says = text || errorText(errorCode)
  return new ProtocolError(errorCode, `${subject}: ${errorName(errorCode)}: ${says}`)
}
