/** A reporter of Jest that names what was skipped, and so what this machine lacks: Jest itself only counts. */
export default class NameSkips {
  onRunComplete(_contexts, { testResults }) {
    const counts = new Map()
    for (const { testResults: tests } of testResults) {
      for (const { status, ancestorTitles, title } of tests) {
        if (status !== 'pending') continue
        const name = ancestorTitles[0] ?? title
        counts.set(name, (counts.get(name) ?? 0) + 1)
      }
    }
    for (const [name, count] of counts) process.stderr.write(`skipped: ${name}, tests: ${count}\n`)
  }
}
