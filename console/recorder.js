// Runs in the audio thread: hands each block of the first channel on.

class Recorder extends AudioWorkletProcessor {
    process([input]) {
        if (input.length) this.port.postMessage(input[0].slice());
        return true;
    }
}

registerProcessor("recorder", Recorder);
