// Records at the device's own rate (Firefox refuses another) and makes a WAV file of that rate.

const MAX_SECONDS = 60;
const START_SECONDS = 5;

/** Waits until sound arrives: Firefox takes up to a second. `onLevel` gets the level of each block in dB below full
 * scale, and the seconds so far. Answers a function that stops and gives the recording as a Blob. */
export async function record(onLevel) {
    // What makes calls pleasant changes a voice.
    const audio = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    const context = new AudioContext();
    const blocks = [];
    let count = 0;
    const release = async () => {
        stream.getTracks().forEach((track) => track.stop());
        if (context.state !== "closed") await context.close();
    };
    try {
        await context.audioWorklet.addModule("recorder.js");
        const worklet = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0 });
        worklet.port.onmessage = ({ data }) => {
            if (count >= MAX_SECONDS * context.sampleRate) return;
            blocks.push(data);
            count += data.length;
            onLevel(level(data), count / context.sampleRate);
        };
        context.createMediaStreamSource(stream).connect(worklet);
        await running(context);
    } catch (problem) {
        await release();
        throw problem;
    }
    return async () => {
        await release();
        return wav(blocks, count, context.sampleRate);
    };
}

/** Firefox starts none where there is nothing to play sound on. */
async function running(context) {
    const words = "sound does not start in this browser. Connect a loudspeaker or headphones.";
    const late = new Promise((_, refuse) => setTimeout(() => refuse(new Error(words)), 1_000 * START_SECONDS));
    await Promise.race([context.resume(), late]);
}

function level(block) {
    const power = block.reduce((sum, sample) => sum + sample * sample, 0) / block.length;
    return 10 * Math.log10(power + 1e-10);
}

/** 16-bit PCM, one channel. */
function wav(blocks, count, rate) {
    const view = new DataView(new ArrayBuffer(44 + 2 * count));
    const text = (at, letters) => [...letters].forEach((letter, index) => view.setUint8(at + index, letter.charCodeAt(0)));
    text(0, "RIFF");
    view.setUint32(4, 36 + 2 * count, true);
    text(8, "WAVEfmt ");
    view.setUint32(16, 16, true);
    view.setUint16(20, 1, true);
    view.setUint16(22, 1, true);
    view.setUint32(24, rate, true);
    view.setUint32(28, 2 * rate, true);
    view.setUint16(32, 2, true);
    view.setUint16(34, 16, true);
    text(36, "data");
    view.setUint32(40, 2 * count, true);
    let at = 44;
    for (const block of blocks) {
        for (const sample of block) {
            view.setInt16(at, Math.round(32767 * Math.max(-1, Math.min(1, sample))), true);
            at += 2;
        }
    }
    return new Blob([view], { type: "audio/wav" });
}
