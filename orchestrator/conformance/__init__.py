"""Does a runner keep the contract? Provokes it from outside and names each broken clause of PROTOCOL.md."""
