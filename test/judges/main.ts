console.log('There are no judges yet: nothing was checked by a server or verifier that this project did not write.');
