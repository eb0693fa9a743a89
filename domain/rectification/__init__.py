"""责令改正 Orders to put right what was found, from the paper to the closed file."""
