import { expect } from 'chai'
import express from 'express'
import { health } from '../../http/health.ts'
import { closeServers, serve } from './serve.ts'

describe('readiness over time', () => {
  afterEach(closeServers)

  it('looks again after a second, and sees a storage that came back', async () => {
    let nowMs = 0
    let down = true
    const check = async () => {
      if (down) throw new Error('down')
    }
    const { url } = await serve(() => express().use(health({ check, now: () => nowMs })))
    const status = async () => (await fetch(`${url}/readyz`)).status
    expect(await status()).to.equal(503)
    down = false
    nowMs = 999
    expect(await status()).to.equal(503)
    nowMs = 1_000
    expect(await status()).to.equal(200)
  })
})
