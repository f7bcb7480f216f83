import { installMs } from '../servers/ceph.ts'
import { cases } from './entries/cases.ts'
import { entries, type Running } from './entries/entries.ts'

for (const entry of entries) {
  describe(`hub and reader by ${entry.name}`, () => {
    let running: Running | undefined
    before(async function () {
      this.timeout(installMs)
      running = await entry.start()
    })
    after(() => running?.end())

    for (const one of cases) {
      if (one.needsDots === true && entry.resolvesDots === true) continue
      it(one.title, async () => {
        if (running === undefined) throw new Error('it runs while the tests do')
        await one.run(running)
      })
    }
  })
}
