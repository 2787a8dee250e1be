// Records a voice and enrolls or verifies it, with a token from your own server in the place of the key.
// The page and the browser's audio thread both load this module; its last lines tell them apart.

const BY_PHRASE = "speaker-recognition/verification/text-dependent/profiles";
const PATHS = {
    enroll: (profileId) => `${BY_PHRASE}/${profileId}/enrollments`,
    verify: (profileId) => `${BY_PHRASE}/${profileId}:verify`,
};

/** At the device's own rate. Answers, once sound arrives, a function that stops and gives a WAV file. */
async function record() {
    // What makes calls pleasant changes a voice.
    const audio = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    const context = new AudioContext();
    await context.audioWorklet.addModule(import.meta.url);
    const recorder = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0 });
    const blocks = [];
    recorder.port.onmessage = ({ data }) => blocks.push(data);
    context.createMediaStreamSource(stream).connect(recorder);
    await context.resume(); // Firefox takes up to a second
    return async () => {
        stream.getTracks().forEach((track) => track.stop());
        await context.close();
        return wav(blocks, context.sampleRate);
    };
}

/** 16-bit PCM, one channel. */
function wav(blocks, rate) {
    const bytes = 2 * blocks.reduce((count, block) => count + block.length, 0);
    const view = new DataView(new ArrayBuffer(44 + bytes));
    const text = (at, letters) => [...letters].forEach((letter, index) => view.setUint8(at + index, letter.charCodeAt(0)));
    text(0, "RIFF");
    view.setUint32(4, 36 + bytes, true);
    text(8, "WAVEfmt ");
    view.setUint32(16, 16, true);
    view.setUint16(20, 1, true); // PCM
    view.setUint16(22, 1, true); // channel
    view.setUint32(24, rate, true);
    view.setUint32(28, 2 * rate, true);
    view.setUint16(32, 2, true);
    view.setUint16(34, 16, true);
    text(36, "data");
    view.setUint32(40, bytes, true);
    let at = 44;
    for (const sample of blocks.flatMap((block) => [...block])) {
        view.setInt16(at, Math.round(32767 * Math.max(-1, Math.min(1, sample))), true);
        at += 2;
    }
    return new Blob([view], { type: "audio/wav" });
}

/** Your server says who speaks and what the token is for; it is asked for again each time, and kept nowhere. */
async function send(purpose, recording) {
    const { url, profileId, token } = await answered(await fetch(`token/${purpose}`, { method: "POST" }));
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": recording.type };
    return answered(await fetch(`${url}/${PATHS[purpose](profileId)}`, { method: "POST", headers, body: recording }));
}

async function answered(answer) {
    const json = await answer.json();
    if (!answer.ok) throw new Error(json.error.message);
    return json;
}

function page() {
    const said = document.getElementById("said");
    const stop = document.getElementById("stop");
    const starts = [...document.querySelectorAll("[data-purpose]")];
    const show = (text, recording = false) => {
        said.textContent = text; // never as markup
        starts.forEach((button) => (button.disabled = recording));
        stop.disabled = !recording;
    };
    const attempt = (work) => work().catch((problem) => show(problem.message));
    const start = ({ dataset: { purpose } }) => async () => {
        const finish = await record();
        show("Speak.", true);
        stop.onclick = () => attempt(async () => {
            const answer = await send(purpose, await finish());
            show(answer.recognitionResult ?? `${answer.enrollmentStatus}, ${answer.remainingEnrollmentsCount} to come`);
        });
    };
    starts.forEach((button) => (button.onclick = () => attempt(start(button))));
}

if (globalThis.AudioWorkletProcessor) {
    registerProcessor("recorder", class extends AudioWorkletProcessor {
        process([input]) {
            if (input.length) this.port.postMessage(input[0].slice());
            return true;
        }
    });
} else {
    page();
}
