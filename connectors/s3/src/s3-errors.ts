import { ConfigurationError, ConnectError, RetriableError } from '@millrace/connect-api'

/** What a human must do. Everything that is not listed may pass by itself. */
const CONFIGURATION_TODO: Readonly<Record<string, string | undefined>> = {
  NoSuchBucket: 'create the bucket or correct s3.bucket.name',
  InvalidBucketName: 'correct s3.bucket.name',
  AccessDenied: 'let the access key write to the bucket',
  InvalidAccessKeyId: 'check aws.access.key.id',
  XAdminUserNotFound: 'check aws.access.key.id', // versitygw's name for it
  SignatureDoesNotMatch: 'check aws.secret.access.key',
  CredentialsProviderError:
    'set aws.access.key.id and aws.secret.access.key, or the usual AWS variables',
  PermanentRedirect: 'set s3.region or store.url to where the bucket is',
  AuthorizationHeaderMalformed: 'set s3.region to the region of the bucket',
}

/** The parts that were sent are lost: only a task that reads its records again can write the object. */
const LOST_UPLOAD = new Set(['NoSuchUpload', 'InvalidPart', 'InvalidPartOrder'])

/** The name that S3 gives its errors; of an error of the network its code. */
export function errorName(error: unknown): string {
  const { name, code } = error as { name?: string; code?: string }
  return name === undefined || name === 'Error' || name === 'AggregateError'
    ? (code ?? 'Error')
    : name
}

/** Runs a request. @throws RetriableError, ConfigurationError, ConnectError (fatal), with what failed and why */
export async function attempt<T>(what: string, request: () => Promise<T>): Promise<T> {
  try {
    return await request()
  } catch (cause) {
    if (cause instanceof ConnectError) throw cause
    const name = errorName(cause)
    const todo = CONFIGURATION_TODO[name]
    if (todo !== undefined)
      throw new ConfigurationError(`${what} failed (${name}): ${todo}`, { cause })
    if (LOST_UPLOAD.has(name)) {
      const message = `${what} failed (${name}): somebody removed the multipart upload; restart the task`
      throw new ConnectError('fatal', message, { cause })
    }
    const status = httpStatus(cause)
    const detail = status === null ? messageOf(cause) : `HTTP ${status} ${name}`
    throw new RetriableError(`${what} failed (${detail})`, { cause })
  }
}

function httpStatus(error: unknown): number | null {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode ?? null
}

/** Several addresses were tried: the first one's message stands for all. */
function messageOf(error: unknown): string {
  const { message, errors } = error as { message?: string; errors?: readonly Error[] }
  return message || errors?.[0]?.message || 'no answer'
}
