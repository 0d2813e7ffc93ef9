import os

import markdown

print(markdown.markdown(f"*{os.environ['GIT_COMMIT']}*"))
