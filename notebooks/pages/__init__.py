"""Built for a browser without Python, from the helper and its wings.

page  00_demo.html: draw pad and explorer in one file (page.js, lenet5.js)
"""
