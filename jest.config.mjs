import { readFileSync } from 'node:fs'

const swc = JSON.parse(readFileSync(new URL('./.swcrc', import.meta.url), 'utf8'))

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  // Our packages are tested from their sources: each package.json maps this condition to src/index.ts.
  testEnvironmentOptions: {
    customExportConditions: ['millrace:source', 'node', 'require', 'default'],
  },
  roots: [
    '<rootDir>/apps',
    '<rootDir>/libs',
    '<rootDir>/connectors',
    '<rootDir>/test',
    '<rootDir>/tools',
  ],
  testMatch: ['**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/(apps|libs|connectors)/[^/]+/dist'],
  // Nest 12 is ESM only: its modules are compiled to CommonJS like ours.
  transformIgnorePatterns: [],
  transform: { '^.+\\.[cm]?[tj]s$': ['@swc/jest', { ...swc, swcrc: false, sourceMaps: 'inline' }] },
  setupFiles: ['<rootDir>/tools/property-seed.ts'],
  maxWorkers: 2,
  reporters: ['default', '<rootDir>/tools/name-skips.mjs'],
  // Real servers are started in many tests, on machines that do other things as well.
  testTimeout: 30_000,
}
