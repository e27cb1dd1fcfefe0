"""What a reader is told, in Chinese and English: a table of sentences for each wing.

texts   every sentence that a reader meets (a table a wing), in the language of `start`
labels  words in figures, in that language where there is a font for it
"""

from .labels import label, use_chinese_font
from .texts import text, use
