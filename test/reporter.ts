import Mocha from 'mocha'

/**
 * Mocha's own spec report, and as its last line the sum that scripts read: `N passed, N failed`. The suite
 * allows no skipped tests, so a pending one counts as failed.
 */
export default class Reporter extends Mocha.reporters.Spec {
  override epilogue(): void {
    super.epilogue()
    const { passes, failures, pending } = this.stats
    process.stdout.write(`${passes} passed, ${failures + pending} failed\n`)
  }
}
