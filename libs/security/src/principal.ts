/** Who a client is, once it has logged in: `User:alice`. */
export interface Principal {
  readonly type: string
  readonly name: string
}

/** Of listeners without authentication. */
export const ANONYMOUS: Principal = Object.freeze({ type: 'User', name: 'ANONYMOUS' })

/** As it stands in ACLs and quotas. */
export function principalText({ type, name }: Principal): string {
  return `${type}:${name}`
}
