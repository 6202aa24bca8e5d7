import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Certificates are made by OpenSSL's own tool, so that nothing of ours vouches for itself. */
export const isOpensslHere = spawnSync('openssl', ['version']).error === undefined

export interface Certificate {
  readonly keyFile: string
  readonly certificateFile: string
  readonly key: string
  readonly certificate: string
}

/** An authority in a directory of its own, and the certificates that it signs. */
export class Authority {
  readonly directory = mkdtempSync(join(tmpdir(), 'millrace-tls-'))
  readonly certificateFile = this.path('ca.pem')

  constructor(name = 'Test CA') {
    this.#openssl(
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ['-keyout', this.path('ca.key'), '-out', this.certificateFile],
      ['-subj', `/CN=${name}`, '-days', '2'],
    )
  }

  get certificate(): string {
    return readFileSync(this.certificateFile, 'utf8')
  }

  path(name: string): string {
    return join(this.directory, name)
  }

  /** `subject` in OpenSSL's form, `/C=CH/O=Mill/CN=broker`. Good for 127.0.0.1 and localhost. */
  sign(name: string, subject: string): Certificate {
    const keyFile = this.path(`${name}.key`)
    const certificateFile = this.path(`${name}.pem`)
    const extensions = this.path(`${name}.ext`)
    writeFileSync(extensions, 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
    this.#openssl(
      ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ['-keyout', keyFile, '-out', this.path(`${name}.csr`), '-utf8', '-subj', subject],
    )
    this.#openssl(
      ['x509', '-req', '-in', this.path(`${name}.csr`), '-out', certificateFile, '-days', '2'],
      ['-CA', this.certificateFile, '-CAkey', this.path('ca.key'), '-extfile', extensions],
    )
    const [key, certificate] = [keyFile, certificateFile].map((file) => readFileSync(file, 'utf8'))
    return { keyFile, certificateFile, key, certificate }
  }

  /** Key and certificate together as a PKCS#12 file. */
  pkcs12(name: string, { keyFile, certificateFile }: Certificate, password: string): string {
    const file = this.path(`${name}.p12`)
    this.#openssl(
      ['pkcs12', '-export', '-inkey', keyFile, '-in', certificateFile, '-out', file],
      ['-passout', `pass:${password}`],
    )
    return file
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true })
  }

  #openssl(...args: string[][]): void {
    execFileSync('openssl', args.flat(), { stdio: 'pipe' })
  }
}
