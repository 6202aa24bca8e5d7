/** A server that does not answer must not hold up whoever waits for longer. */
const ANSWER_MAX_MS = 10_000

/** The door to web servers for the engine libraries: a test passes another one. */
export interface Http {
  /** The JSON at a URL. @throws Error with the status, or fetch's own */
  getJson(url: string): Promise<unknown>
  /** Sends a form and gives the JSON that comes back. @throws as `getJson` */
  postForm(
    url: string,
    request: { readonly authorization: string; readonly form: Readonly<Record<string, string>> },
  ): Promise<unknown>
}

export const nodeHttp: Http = {
  getJson: (url) => readJson(url, {}),
  postForm: (url, { authorization, form }) =>
    readJson(url, {
      method: 'POST',
      headers: { authorization, accept: 'application/json' },
      body: new URLSearchParams(form),
    }),
}

async function readJson(url: string, request: RequestInit): Promise<unknown> {
  const response = await fetch(url, { ...request, signal: AbortSignal.timeout(ANSWER_MAX_MS) })
  if (!response.ok) throw new Error(`${url} answered ${response.status} ${response.statusText}`)
  return response.json()
}
