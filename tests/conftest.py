"""What holds for every test."""

import hypothesis

# A busy machine is not a failure: what is too slow is found by the time limit on the whole test.
hypothesis.settings.register_profile("dialback", deadline=None, print_blob=True)
hypothesis.settings.load_profile("dialback")
