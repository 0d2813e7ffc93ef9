import os

print(os.environ["GIT_COMMIT"])
