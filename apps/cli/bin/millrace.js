#!/usr/bin/env node
'use strict'
/* Starts the command on Node 24: on an older Node it hands over to the one that npm installed with the package. */
const { spawnSync } = require('node:child_process')

const REQUIRED_MAJOR = 24

if (Number(process.versions.node.split('.')[0]) >= REQUIRED_MAJOR) {
  void require('../dist/main.js').main(process.argv.slice(2))
} else {
  process.exitCode = runOnInstalledNode()
}

function runOnInstalledNode() {
  let node
  try {
    node = require.resolve(`node-${process.platform}-${process.arch}/bin/node`)
  } catch {
    process.stderr.write(
      `millrace needs Node ${REQUIRED_MAJOR} or newer, this is ${process.version}: install it, or run npm ci with optional dependencies\n`,
    )
    return 1
  }
  // Signals reach the whole foreground group; the parent only waits.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})
  const { status } = spawnSync(node, [__filename, ...process.argv.slice(2)], { stdio: 'inherit' })
  return status ?? 1
}
