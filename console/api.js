// Calls of the API. The key or token is in this module's memory alone, and is gone with the page.

const BASE = new URL("../", location.href); // the page is <prefix>/console/index.html

export const KINDS = {
    "verification/text-dependent": "by phrase",
    "verification/text-independent": "by speech",
    "identification/text-independent": "among others",
};

let secret = "";

export class Refused extends Error {
    constructor(status, code, message, details) {
        super(message);
        Object.assign(this, { status, code, details });
    }
}

export function hold(keyOrToken) {
    secret = keyOrToken;
}

/** Sends JSON, or a Blob as it is. Answers the JSON that came back, or null. Throws Refused. */
export async function call(method, path, body) {
    const headers = { "Ocp-Apim-Subscription-Key": secret };
    const isRecording = body instanceof Blob;
    if (body !== undefined) headers["Content-Type"] = isRecording ? body.type || "application/octet-stream" : "application/json";
    let answer, json;
    try {
        answer = await fetch(new URL(path, BASE), {
            method, headers, body: body === undefined || isRecording ? body : JSON.stringify(body),
            cache: "no-store", credentials: "omit", redirect: "error",
        });
        const text = await answer.text();
        json = text ? JSON.parse(text) : null;
    } catch {
        throw new Refused(0, "NoAnswer", "The service did not answer. Is it still running?");
    }
    if (!answer.ok) {
        const said = json?.error ?? {};
        throw new Refused(answer.status, said.code ?? String(answer.status), said.message ?? "The service refused.", json?.details);
    }
    return json;
}

/** One page of a list: its entries, and the path of the next page or null. Only the link's query counts, so that it
 * does not matter by which name the service knows itself. */
export async function page(path) {
    const answer = await call("GET", path);
    const next = answer.nextLink ? path.split("?")[0] + new URL(answer.nextLink).search : null;
    return { entries: answer.value, next };
}

export const profiles = (kind) => `speaker-recognition/${kind}/profiles`;
export const profile = ({ kind, profileId }) => `${profiles(kind)}/${encodeURIComponent(profileId)}`;
export const note = ({ kind, profileId }, name) => `profiles/${kind}/${encodeURIComponent(profileId)}/${name}`;
