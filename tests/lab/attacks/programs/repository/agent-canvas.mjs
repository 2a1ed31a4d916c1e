// It starts, leaves a process behind, and ends.
import {spawn} from 'node:child_process';
spawn('sleep', ['86399'], {detached: true, stdio: 'ignore'}).unref();
process.exit(1);
