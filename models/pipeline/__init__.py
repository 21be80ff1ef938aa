"""From one model id to many variants in one process: stages of training, then files, then manifests."""
