import { generateStacksSigner, signV1Token } from '../../../client/index.ts'
import { json, textOf } from './answers.ts'
import type { Talk } from './talk.ts'

interface Stage {
  talk: Talk
  hubUrl: string
  readUrlPrefix: string
  address: string
  authorization: string
}

const path = 'notes/hello.txt'
const firstText = 'Hello, this is mine.'
const secondText = 'Hello again, and still mine.'

/** Plays the main job of a hub, step by step, against one that runs. @throws where a step does not do what it says */
export async function playMainJob(talk: Talk, hubUrl: string): Promise<void> {
  const stage = await meet(talk, hubUrl)
  const firstEtag = await store(stage)
  await read(stage)
  await list(stage)
  await overwrite(stage, firstEtag)
  await overwriteStale(stage, firstEtag)
  await remove(stage)
}

/** hub_info, a new key and a token that the key signs. */
async function meet(talk: Talk, hubUrl: string): Promise<Stage> {
  talk.step('Ask the hub what it wants signed and where files are read')
  const info = json((await talk.send({ method: 'GET', url: `${hubUrl}/hub_info` }, 200)).text)
  const challengeText = textOf(info, 'challenge_text')
  const readUrlPrefix = textOf(info, 'read_url_prefix')
  talk.check('read_url_prefix is a URL that a path can be added to', readUrlPrefix.endsWith('/'))

  talk.step('Make a key; its address is where only this key may write')
  const signer = generateStacksSigner()
  const { address } = signer
  talk.say(`address ${address}`)
  const issuedAt = Math.floor(Date.now() / 1000)
  const token = await signV1Token(signer, { challengeText, hubUrl, issuedAt, lifetimeSeconds: 600 })
  talk.say('and sign a token with it, good for ten minutes')
  return { talk, hubUrl, readUrlPrefix, address, authorization: `bearer ${token}` }
}

function storeRequest(
  { hubUrl, address, authorization }: Stage,
  body: string,
  conditions: Record<string, string>,
) {
  return {
    method: 'POST',
    url: `${hubUrl}/store/${address}/${path}`,
    headers: { authorization, 'content-type': 'text/plain', ...conditions },
    body,
  } as const
}

function readRequest({ readUrlPrefix, address }: Stage) {
  return { method: 'GET', url: `${readUrlPrefix}${address}/${path}` } as const
}

async function store(stage: Stage): Promise<string> {
  const { talk } = stage
  talk.step('Store a file')
  const answer = json((await talk.send(storeRequest(stage, firstText, {}), 202)).text)
  talk.check('publicURL is where the file is read', textOf(answer, 'publicURL') === readRequest(stage).url)
  return textOf(answer, 'etag')
}

async function read(stage: Stage): Promise<void> {
  const { talk } = stage
  talk.step('Read it, as anyone can')
  const answer = await talk.send(readRequest(stage), 200)
  talk.check('the bytes are those that were stored', answer.text === firstText)
  talk.check('so is the type', answer.headers.get('content-type') === 'text/plain')
}

async function listNames({ talk, hubUrl, address, authorization }: Stage): Promise<unknown> {
  const headers = { authorization, 'content-type': 'application/json' }
  const url = `${hubUrl}/list-files/${address}`
  const answer = await talk.send({ method: 'POST', url, headers, body: '{"page":null}' }, 202)
  return json(answer.text).entries
}

async function list(stage: Stage): Promise<void> {
  stage.talk.step('List the files of the address')
  const entries = await listNames(stage)
  stage.talk.check('the file is the one name', JSON.stringify(entries) === JSON.stringify([path]))
}

async function overwrite(stage: Stage, etag: string): Promise<void> {
  const { talk } = stage
  talk.step('Overwrite it, naming the version that was read')
  await talk.send(storeRequest(stage, secondText, { 'if-match': etag }), 202)
  const answer = await talk.send(readRequest(stage), 200)
  talk.check('the new text is there', answer.text === secondText)
}

async function overwriteStale(stage: Stage, staleEtag: string): Promise<void> {
  const { talk } = stage
  talk.step('Overwrite it once more, naming the first version: another device that missed the change')
  const refusal = await talk.send(storeRequest(stage, 'lost update', { 'if-match': staleEtag }), 412)
  talk.check('the refusal has its name', json(refusal.text).error === 'PreconditionFailedError')
  const answer = await talk.send(readRequest(stage), 200)
  talk.check('nothing was lost', answer.text === secondText)
}

async function remove(stage: Stage): Promise<void> {
  const { talk, hubUrl, address, authorization } = stage
  talk.step('Delete it')
  const url = `${hubUrl}/delete/${address}/${path}`
  await talk.send({ method: 'DELETE', url, headers: { authorization } }, 202)
  await talk.send(readRequest(stage), 404)
  const entries = await listNames(stage)
  talk.check('no name is left', Array.isArray(entries) && entries.length === 0)
}
