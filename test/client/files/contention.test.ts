import { expect } from 'chai'
import { suiteStage } from '../sdk-stage.ts'

describe('200 clients that update one file at once, with the defaults', () => {
  const on = suiteStage()

  it('all get through, and no update is lost', async () => {
    const clients = await Promise.all(Array.from({ length: 200 }, () => on.stage.connect()))
    await Promise.all(
      clients.map((client, i) => client.update('list.txt', (now) => `${now?.text() ?? ''}${i}\n`)),
    )
    const [reader] = clients
    const numbers = (await reader?.get('list.txt'))?.text().trimEnd().split('\n').map(Number)
    expect(numbers?.sort((a, b) => a - b)).to.deep.equal(Array.from({ length: 200 }, (_, i) => i))
  }).timeout(120_000)
})
